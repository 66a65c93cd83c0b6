# The node on an installed ROS 2, built with colcon.
#
#     docker build -f docker/ros.Dockerfile -t dmmi .
#     docker build -f docker/ros.Dockerfile --build-arg ROS=kilted -t dmmi .

ARG ROS=jazzy

FROM ros:${ROS}-ros-base AS build
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
WORKDIR /workspace
COPY . src/dmmi
RUN source "/opt/ros/${ROS_DISTRO}/setup.bash" \
    && colcon build --merge-install --install-base /opt/dmmi --packages-select dmmi

FROM ros:${ROS}-ros-base
COPY package.xml /tmp/dmmi/
# The virtual environment holds what rosdep has no names for. It sees the system's packages and keeps their NumPy,
# for which the system's OpenCV is compiled. Any user of `docker run --user` may write to the home folder.
# hadolint ignore=DL3008,DL3013
RUN apt-get update \
    && rosdep update \
    && rosdep install --from-paths /tmp/dmmi --dependency-types exec --default-yes \
    && apt-get install --yes --no-install-recommends python3-venv \
    && rm -rf /var/lib/apt/lists/* \
    && python3 -m venv --system-site-packages /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir 'numpy<2' onnxruntime openvino pycocotools tokenizers \
    && mkdir --mode 1777 /home/dmmi
COPY --from=build /opt/dmmi /opt/dmmi
COPY docker/run /usr/local/bin/
ENV HOME=/home/dmmi PATH=/opt/venv/bin:$PATH
USER 1000:1000
WORKDIR /home/dmmi
ENTRYPOINT ["run"]
CMD ["ros2", "launch", "dmmi", "dmmi.launch.py"]
