"""The files of rosbag2. Only names are read of message types, so that no type can make a bag unreadable."""
