# powerlevel10k: source this file in ~/.p10k.zsh and add groat to
# POWERLEVEL9K_LEFT_PROMPT_ELEMENTS or …RIGHT_PROMPT_ELEMENTS.
source "${${(%):-%x}:A:h}/groat-prompt.sh"

function prompt_groat() {
  local REPLY
  groat_text && p10k segment -f yellow -t "${REPLY//\%/%%}"
}
