# The production image: the webhook and the command line, without the demo.
#
# Nothing here names a mutable base: the digests below are placeholders that no
# registry can have, so a build that forgets them fails at once. A release resolves
# the tags, checks the signature of the runtime base and passes both references
# (hack/image.py in .github/workflows/release.yml). For development `make image`, or
# name the tags yourself:
#
#   docker build \
#     --build-arg BUILDER=docker.io/library/python:3.13-slim-trixie \
#     --build-arg RUNTIME=gcr.io/distroless/python3-debian13:nonroot .
#
# Both bases must have the same minor version of Python (docs/adr/0009).
# tests/image runs the RUN lines below, word by word, in a sandbox.
ARG BUILDER=docker.io/library/python:3.13-slim-trixie@sha256:0000000000000000000000000000000000000000000000000000000000000000
ARG RUNTIME=gcr.io/distroless/python3-debian13:nonroot@sha256:0000000000000000000000000000000000000000000000000000000000000000

FROM ${BUILDER} AS builder
ARG SOURCE_DATE_EPOCH
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
# A virtual environment holds the path of its interpreter, so it is made with the
# path that the runtime base has.
RUN ln -s /usr/local/bin/python3.13 /usr/bin/python3.13
RUN /usr/bin/python3.13 -m venv --without-pip /opt/imagecompat
COPY requirements/runtime.txt requirements/build.txt requirements/
RUN python3.13 -m pip --python /opt/imagecompat/bin/python3.13 install --quiet \
      --require-hashes --no-deps --only-binary=:all: --no-compile \
      -r requirements/runtime.txt
RUN python3.13 -m venv /build \
 && /build/bin/pip install --quiet --require-hashes --no-deps --only-binary=:all: \
      -r requirements/build.txt
COPY LICENSE README.md pyproject.toml ./
COPY app app
RUN /build/bin/hatchling build --target wheel --directory /build/dist
RUN python3.13 -m pip --python /opt/imagecompat/bin/python3.13 install --quiet \
      --no-index --no-deps --no-compile /build/dist/imagecompat-*.whl \
 && python3.13 -m pip --python /opt/imagecompat/bin/python3.13 check
# What the webhook does not need: the demo, and the commands of other packages.
RUN rm -r /opt/imagecompat/lib/python3.13/site-packages/app/demo \
 && find /opt/imagecompat/bin ! -type d ! -name imagecompat ! -name 'python*' -delete
# By content, not by time: the same sources give the same bytes, and a read-only
# root never looks at them again.
RUN /opt/imagecompat/bin/python3.13 -m compileall -q \
      --invalidation-mode unchecked-hash /opt/imagecompat/lib

FROM ${RUNTIME}
ARG VERSION=0.0.0-dev
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
ARG SOURCE=https://imagecompat.dev
LABEL org.opencontainers.image.title="imagecompat" \
      org.opencontainers.image.description="Image compatibility for Kubernetes: Pods that no node can run are denied before they are scheduled." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.base.name="gcr.io/distroless/python3-debian13:nonroot"
COPY --from=builder --chown=0:0 /opt/imagecompat /opt/imagecompat
ENV PATH=/opt/imagecompat/bin:/usr/bin PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 65532:65532
WORKDIR /
EXPOSE 9443 8080
ENTRYPOINT ["/opt/imagecompat/bin/imagecompat"]
CMD ["serve", "--config", "/etc/imagecompat/settings.yaml"]
