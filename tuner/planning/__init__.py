"""What a run would cost: a few measured steps, and simulated runs made of them."""
