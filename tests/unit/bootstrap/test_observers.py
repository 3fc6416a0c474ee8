from app.bootstrap.certificates import CertificateObserver
from app.bootstrap.observers import RegistryObserver
from app.telemetry import Metrics


def test_a_request_to_a_registry_is_counted_and_timed() -> None:
    metrics = Metrics()
    RegistryObserver(metrics).request("token", "2xx", seconds=0.02)
    text = metrics.text().decode()
    name = "imagecompat_registry_request"
    assert f'{name}s_total{{kind="token",outcome="2xx"}} 1.0' in text
    assert f'{name}_duration_seconds_sum{{kind="token"}} 0.02' in text


def test_whether_a_certificate_is_refused_now_is_a_gauge() -> None:
    metrics = Metrics()
    observer = CertificateObserver(metrics)
    found = []
    for is_refused in (True, False):
        observer.refused(is_refused=is_refused)
        (line,) = (
            line
            for line in metrics.text().decode().splitlines()
            if line.startswith("imagecompat_certificate_refused ")
        )
        found.append(line.split()[1])
    assert ["1.0", "0.0"] == found
