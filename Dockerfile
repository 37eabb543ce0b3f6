# The image of the Action. The release names the base by its digest; a tag as default lets a plain `docker build` do.
ARG PYTHON=python:3.13-slim

FROM ${PYTHON} AS build
COPY . /source
# What starts the gate ignores PYTHON* variables and the working folder: a pull request must not choose what is imported.
RUN python3 -m venv --without-pip /opt/deploygate \
    && python3 -m pip --python /opt/deploygate/bin/python install \
        --no-cache-dir --disable-pip-version-check --compile /source \
    && sed -i '1s|.*|#!/opt/deploygate/bin/python -Iu|' /opt/deploygate/bin/deploygate*

# hadolint ignore=DL3006 # the tag, or the digest, is in the argument
FROM ${PYTHON}
LABEL org.opencontainers.image.title="deploygate" \
      org.opencontainers.image.description="A deployment gate: instance by instance, on health and version, with a way back that was proven first" \
      org.opencontainers.image.licenses="Apache-2.0"
# The official base comes with pip, and without byte code: every start would compile what it imports, and forget it.
# hadolint ignore=DL3008 # a stable distribution keeps only the newest build of a package: a pinned one is gone next month
RUN apt-get update \
    && apt-get install --yes --no-install-recommends openssh-client rsync \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* \
    && rm -rf /usr/local/bin/pip* /usr/local/lib/python3*/site-packages/pip* \
    && python3 -m compileall -q -x '/(test|ensurepip|idlelib|pydoc_data|tkinter|turtledemo)/' \
        "$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')" \
    && ln -s /opt/deploygate/bin/deploygate /opt/deploygate/bin/deploygate-post /usr/local/bin/
COPY --from=build /opt/deploygate /opt/deploygate
# No USER and no WORKDIR: GitHub needs root, and mounts the workspace where it says.
ENTRYPOINT ["/usr/local/bin/deploygate"]
