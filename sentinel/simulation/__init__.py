"""What a change cannot have touched, told without judging it again."""
