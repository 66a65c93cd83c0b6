"""Between ROS messages and NumPy arrays. Nothing here imports PyTorch."""
