//! `multillm completions` and `multillm man`: what shells and `man` read.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{Cli, Context, Failure};

/// Arguments of `completions`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Arguments of `man`.
#[derive(Debug, clap::Args)]
pub(super) struct ManArgs {
    /// The command whose page is wanted, such as `history list` [default: the program's]
    command: Vec<String>,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<(), Failure> {
    let mut script = vec![];
    clap_complete::generate(args.shell, &mut Cli::command(), "multillm", &mut script);
    context.printer.data(&String::from_utf8_lossy(&script))?;
    Ok(())
}

pub(super) fn man(args: &ManArgs, context: &Context) -> Result<(), Failure> {
    let mut command = Cli::command();
    command.build();
    let mut chosen = &command;
    for name in &args.command {
        chosen = chosen.find_subcommand(name).ok_or_else(|| {
            Failure::Usage(format!(
                "no command {name:?}: \"multillm --help\" lists them"
            ))
        })?;
    }
    let mut page = vec![];
    clap_mangen::Man::new(chosen.clone()).render(&mut page)?;
    context.printer.data(&String::from_utf8_lossy(&page))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }
}
