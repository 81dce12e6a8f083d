"""The words of one trial's command, with W&B's macros filled in by W&B's own code, so that its agents run the same."""

from faketagger.sweep.schema import SweepConfig
from faketagger.sweep.space import nested
from faketagger.sweep.trials import Trial


def trial_words(config: SweepConfig, trial: Trial) -> list[str]:
    """The command line of a trial.

    Args:
        config: The sweep file.
        trial: Has the values.
    """
    from wandb.sdk.launch.sweeps.utils import create_sweep_command, create_sweep_command_args

    values = nested(trial.parameters, config.parameters)
    filled = create_sweep_command_args({"args": {name: {"value": value} for name, value in values.items()}})
    filled |= {"env": ["/usr/bin/env"], "interpreter": ["python"], "program": [config.program]}
    words: list[str] = []
    for word in create_sweep_command(list(config.command)):
        macro = word[2:-1] if word.startswith("${") and word.endswith("}") else None
        words += [str(one) for one in filled[macro]] if macro in filled else [word]
    return words
