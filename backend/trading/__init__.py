"""What is known of money and orders: pure."""
