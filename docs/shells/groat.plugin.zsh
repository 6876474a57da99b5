# oh-my-zsh and other plugin managers: link this folder to
# ~/.oh-my-zsh/custom/plugins/groat and add groat to plugins=(…).
source "${0:A:h}/groat-prompt.sh"
setopt prompt_subst
PROMPT='$(groat_prompt)'"$PROMPT"
