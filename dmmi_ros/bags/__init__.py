"""What `dmmi-bag` does with bags. Nothing here needs ROS, except `live`."""
