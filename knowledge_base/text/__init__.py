"""Language shared by all packages: scripts, numbers, money, dates, units, spelling."""
