"""What observability costs: `make bench` counts instructions, whatever else the machine is doing."""
