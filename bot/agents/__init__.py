"""Pure: facts and an infer function in, a Plan out. No agent knows another."""
