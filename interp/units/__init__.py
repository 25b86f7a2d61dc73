"""What the units of a layer do: what drives each, what each stands for, and what happens without it."""
