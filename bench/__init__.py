"""How fast leads are distributed: Fairlead beside its floor and beside a conventional engine, in one run."""
