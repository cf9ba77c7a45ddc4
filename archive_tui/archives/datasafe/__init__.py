"""The datasafe: measurements under LOIs, reserved before they are made, deposited once, retrieved for years."""
