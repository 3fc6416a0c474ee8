import json
from dataclasses import replace

import pytest

from app.admission import annotations
from app.admission.findings import Answer, Attached, ImageFinding, PodFinding


def test_the_annotations_of_a_pod_that_was_judged(one_image: PodFinding) -> None:
    plain = ImageFinding("plain:1", ("c",), {Answer.MISSING: ""}, digest="sha256:aa")
    lost = ImageFinding("lost:1", ("c",), {Answer.UNAVAILABLE: "x"})
    finding = replace(one_image, images=(*one_image.images, plain, lost), fits=1)
    assert {
        "imagecompat.dev/images": json.dumps(
            {
                "registry.example.com/ml/trainer:2.1": "sha256:" + "1" * 64,
                "plain:1": "sha256:aa",
                "lost:1": None,
            },
            separators=(",", ":"),
        ),
        "imagecompat.dev/nodes": "candidates=3,fits=1,unknown=0",
        "imagecompat.dev/specs": json.dumps(
            {
                "registry.example.com/ml/trainer:2.1": "sha256:3f9a2c01"
                + "0" * 56
                + " in sha256:b at index sha256:c",
                "plain:1": "none",
                "lost:1": "not judged",
            },
            separators=(",", ":"),
        ),
        "imagecompat.dev/verdict": "unknown",
    } == annotations.of(finding)


def attached(number: int, *doubts: str) -> Attached:
    spec, artifact = f"sha256:{number}", f"sha256:a{number}"
    return Attached(spec, artifact, "linux/arm64", "sha256:c", doubts)


WHERE = "sha256:1 in sha256:a1 at linux/arm64 sha256:c"


@pytest.mark.parametrize(
    ("answers", "is_judged", "artifacts", "expected"),
    [
        pytest.param([Answer.FOUND], True, [attached(1)], WHERE, id="one"),
        pytest.param(
            [Answer.FOUND],
            True,
            [attached(1), attached(2, "dated in the future", "odd")],
            f"{WHERE}, {WHERE.replace('1', '2')} (dated in the future; odd)",
            id="two",
        ),
        pytest.param(
            [Answer.INVALID], False, [attached(1)], f"not judged: {WHERE}", id="broken"
        ),
        pytest.param([Answer.INVALID], False, [], "not judged", id="no-artifact"),
        pytest.param([Answer.MISSING], False, [attached(1)], "none", id="other-tags"),
    ],
)
def test_specs_say_who_answered(
    answers: list[Answer], is_judged: bool, artifacts: list[Attached], expected: str
) -> None:
    specs = tuple(one.spec for one in artifacts) if is_judged else ()
    image = ImageFinding(
        "x:1",
        ("c",),
        dict.fromkeys(answers, ""),
        specs=specs,
        artifacts=tuple(artifacts),
    )
    written = json.loads(annotations.specs(PodFinding(images=(image,))))
    assert {"x:1": expected} == written


def test_a_value_stays_within_4096_bytes() -> None:
    many = tuple(
        ImageFinding(f"registry.example/{n:04}", ("c",), {Answer.MISSING: ""})
        for n in range(500)
    )
    written = annotations.of(PodFinding(images=many))
    for value in written.values():
        assert len(value) <= 4096
    assert "registry.example/0000" in json.loads(written["imagecompat.dev/images"])
    kept = written["imagecompat.dev/images"]
    following = f'"registry.example/{len(json.loads(kept)):04}":null'
    assert len(kept) + len(",") + len(following) > 4096


WANTED = {"imagecompat.dev/verdict": "fits"}


@pytest.mark.parametrize(
    ("obj", "wanted", "operations"),
    [
        pytest.param(
            {"metadata": {}},
            WANTED,
            [{"op": "add", "path": "/metadata/annotations", "value": WANTED}],
            id="no annotations yet",
        ),
        pytest.param({"metadata": {"annotations": None}}, {}, [], id="nothing to say"),
        pytest.param(
            {"metadata": {"annotations": {"a": "b"}}},
            WANTED,
            [
                {
                    "op": "add",
                    "path": "/metadata/annotations/imagecompat.dev~1verdict",
                    "value": "fits",
                }
            ],
            id="beside others",
        ),
        pytest.param(
            {"metadata": {"annotations": dict(WANTED)}}, WANTED, [], id="idempotent"
        ),
        pytest.param(
            {
                "metadata": {
                    "annotations": {
                        "imagecompat.dev/verdict": "forged",
                        "imagecompat.dev/nodes": "forged",
                        "imagecompat.dev/mode": "off",
                    }
                }
            },
            {},
            [
                {
                    "op": "remove",
                    "path": "/metadata/annotations/imagecompat.dev~1nodes",
                },
                {
                    "op": "remove",
                    "path": "/metadata/annotations/imagecompat.dev~1verdict",
                },
            ],
            id="forged keys go, the input key stays",
        ),
        pytest.param({}, WANTED, [], id="no metadata"),
        pytest.param({"metadata": []}, WANTED, [], id="metadata is a list"),
        pytest.param(
            {"metadata": {"annotations": "x"}}, WANTED, [], id="annotations are text"
        ),
    ],
)
def test_the_patch_makes_the_output_keys_equal_the_verdict(
    obj: dict[str, object],
    wanted: dict[str, str],
    operations: list[dict[str, object]],
) -> None:
    assert operations == list(annotations.patch(obj, wanted))


@pytest.mark.parametrize(
    ("old", "expected"),
    [
        pytest.param(None, {}, id="creation"),
        pytest.param({"metadata": None}, {}, id="no metadata"),
        pytest.param({"metadata": {"annotations": []}}, {}, id="odd annotations"),
        pytest.param(
            {
                "metadata": {
                    "annotations": {
                        "imagecompat.dev/verdict": "fits",
                        "imagecompat.dev/nodes": 3,
                        "imagecompat.dev/mode": "off",
                        "other": "x",
                    }
                }
            },
            {"imagecompat.dev/verdict": "fits"},
            id="our keys, as text",
        ),
    ],
)
def test_where_no_image_changes_the_stored_values_stay(
    old: dict[str, object] | None, expected: dict[str, str]
) -> None:
    assert expected == annotations.kept(old)
