"""What is downloaded: Kaggle's data, and archives."""
