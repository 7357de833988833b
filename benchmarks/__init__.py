"""What observability costs: `make bench` counts instructions, so that the answer does not depend on the machine."""
