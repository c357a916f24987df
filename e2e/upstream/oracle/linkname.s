// Lets the package declare functions without a body, which go:linkname takes from elsewhere.
