"""The parts of `dmmi-bag`. Only `node_session` needs ROS."""
