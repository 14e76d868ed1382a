//! `multillm completions`: what shells read.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{Cli, Context, Failure};

/// Arguments of `completions`.
#[derive(Debug, clap::Args)]
#[command(after_help = PLACES)]
pub(super) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

const PLACES: &str = "\
Where it goes:
  bash        multillm completions bash > ~/.local/share/bash-completion/completions/multillm
              (make the folder first; needs the package bash-completion)
  zsh         multillm completions zsh > ~/.zfunc/_multillm
              (and in ~/.zshrc, before compinit: fpath+=~/.zfunc)
  fish        multillm completions fish > ~/.config/fish/completions/multillm.fish
  powershell  multillm completions powershell >> $PROFILE
  elvish      multillm completions elvish >> ~/.config/elvish/rc.elv

Shells that are started then have it. In bash, zsh and fish, names of models, providers and
templates are those of the moment.";

pub(super) fn run(args: &Args, context: &Context) -> Result<(), Failure> {
    context.printer.data(&script(args.shell))?;
    Ok(())
}

/// What the shell reads: commands and options as they are written here, names as the program knows
/// them at that moment.
fn script(shell: Shell) -> String {
    let mut script = vec![];
    clap_complete::generate(shell, &mut Cli::command(), "multillm", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    match shell {
        Shell::Bash => script + BASH,
        Shell::Zsh => {
            let script = script.replacen("\n_multillm() {", "\n_multillm_words() {", 1);
            match script.rfind("\nif [ \"$funcstack") {
                Some(end) => {
                    let (words, end) = script.split_at(end);
                    format!("{words}{ZSH}{end}")
                }
                None => script,
            }
        }
        Shell::Fish => {
            let named = |line: &str| {
                let mut words = line.split(' ').skip_while(|word| *word != "-l");
                words.nth(1).is_some_and(|name| NAMED.contains(&name)) && line.ends_with(" -r")
            };
            let lines = script.lines().map(|line| match named(line) {
                true => format!("{line} -f -a '(__multillm_names)'\n"),
                false => format!("{line}\n"),
            });
            lines.collect::<String>() + FISH
        }
        _ => script,
    }
}

/// Options whose values are names of the configuration.
const NAMED: [&str; 5] = ["model", "models", "provider", "template", "tool-choice"];

const BASH: &str = r#"
# Names of models, providers and templates, as the configuration has them now.
_multillm_names() {
    local -a typed=()
    local word last= names whole before= i
    for ((i = 1; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        # A name with a colon is one word, though bash may have taken it apart.
        if [[ $i -gt 1 && ( $word == : || $last == : ) ]]; then
            typed[${#typed[@]} - 1]+=$word
        else
            typed+=("$word")
        fi
        last=$word
    done
    if names=$("${COMP_WORDS[0]}" __complete "${typed[@]}" 2>/dev/null </dev/null); then
        whole=${typed[${#typed[@]} - 1]}
        [[ $COMP_WORDBREAKS == *:* ]] && before=${whole%"${whole##*:}"}
        COMPREPLY=()
        while IFS= read -r word; do
            [[ -n $word ]] && COMPREPLY+=("$(printf '%q' "${word#"$before"}")")
        done <<< "$names"
        return 0
    fi
    _multillm "$@"
}
complete -F _multillm_names -o bashdefault -o default multillm
"#;

const ZSH: &str = r#"
# Names of models, providers and templates, as the configuration has them now.
_multillm() {
    local said
    local -a names
    if said=$("${(Q)words[1]}" __complete "${(@Q)words[2,CURRENT]}" 2>/dev/null </dev/null); then
        names=("${(@f)said}")
        compadd -a names
        return
    fi
    _multillm_words "$@"
}
"#;

const FISH: &str = r#"
# Names of models, providers and templates, as the configuration has them now.
function __multillm_names
    set -l typed (commandline -opc)
    set -l begun (commandline -ct)
    $typed[1] __complete $typed[2..] "$begun" 2>/dev/null </dev/null
end
complete -c multillm -n "__fish_seen_subcommand_from health man alias" -f -a '(__multillm_names)'
complete -c multillm -n "__fish_seen_subcommand_from show" -f -a '(__multillm_names)'
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_ask_for_names() {
        let bash = script(Shell::Bash);
        assert!(bash.contains("_multillm() {") && bash.ends_with(BASH));
        let zsh = script(Shell::Zsh);
        assert_eq!(zsh.matches("\n_multillm() {").count(), 1);
        assert!(zsh.contains("_multillm_words \"$@\"") && zsh.contains("_multillm_words() {"));
        let end = zsh.find(ZSH).unwrap();
        assert!(zsh.rfind("compdef _multillm multillm").unwrap() > end);
        let fish = script(Shell::Fish);
        let model = fish
            .lines()
            .find(|line| line.contains("-l model "))
            .unwrap();
        assert!(model.ends_with(" -r -f -a '(__multillm_names)'"), "{model}");
        for shell in [Shell::Elvish, Shell::PowerShell] {
            assert!(!script(shell).contains(super::super::complete::ASKED));
        }
    }

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }
}
