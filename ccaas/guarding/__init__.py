"""What is not talked about and never promised, whatever a reasoner makes of it."""
