"""The ROS 2 side of DMMI: a lifecycle node and the conversions it needs."""
