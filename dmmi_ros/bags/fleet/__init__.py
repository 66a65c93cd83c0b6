"""The evaluation of many bags, in one process or several."""
