"""The scripts by which shells complete `imagecompat`; see `completing`."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Shell(StrEnum):
    """A shell whose completion is known."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


_BASH: Final = r"""# bash completion of imagecompat
_imagecompat() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        case $line in
            :0) compopt -o default ;;
            :*) compopt +o default ;;
            *) COMPREPLY+=("$line") ;;
        esac
    done < <("$1" __complete_line "${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
}
complete -F _imagecompat imagecompat
"""

_ZSH: Final = r"""#compdef imagecompat
_imagecompat() {
    local line help
    local -a lines found
    lines=("${(@f)$(${words[1]} __complete "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
    for line in "${(@)lines[1,-2]}"; do
        help=${line#*$'\t'}
        found+=("${${line%%$'\t'*}//:/\\:}${help:+:$help}")
    done
    if (( $#found )); then
        _describe -V imagecompat found
    elif [[ $lines[-1] == :0 ]]; then
        _files
    fi
}
if [[ $funcstack[1] == _imagecompat ]]; then
    _imagecompat "$@"
else
    compdef _imagecompat imagecompat
fi
"""

_FISH: Final = r"""# fish completion of imagecompat
function __imagecompat_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l lines ($words[1] __complete $words[2..-1] 2>/dev/null)
    if test (count $lines) -gt 1
        printf '%s\n' $lines[1..-2]
    else if test "$lines[-1]" = :0
        __fish_complete_path (commandline -ct)
    end
end
complete -c imagecompat -f -a '(__imagecompat_complete)'
"""

SCRIPTS: Final[Mapping[Shell, str]] = {
    Shell.BASH: _BASH,
    Shell.ZSH: _ZSH,
    Shell.FISH: _FISH,
}
