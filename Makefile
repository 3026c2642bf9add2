# Short names for dev.py, which does the work: `make test` is `python3 dev.py test`.
COMMANDS := demo test check format bench chaos shell lock setup clean

.PHONY: $(COMMANDS)
$(COMMANDS):
	python3 dev.py $@
