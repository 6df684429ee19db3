"""The commands about money: what jobs cost, what machines cost."""
