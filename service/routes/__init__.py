"""HTTP in, one call into the domain, HTTP out; one module a resource."""
