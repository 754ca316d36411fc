# shellcheck shell=bash
# What the SLURM scripts share. Source it. A campaign is a folder:
#   campaign.conf   what was asked for (shell assignments; read, never edited, by the jobs)
#   shards/         K.fits a shard K of N with its K.run.json; K.fits.journal while it is being made
#   logs/           what the jobs print
#   jobs            a line a submission: stage, job id, shards
#   catalogue.fits, catalogue.verified, dossiers/   the outcome

set -euo pipefail

fail() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 2
}

# load_campaign FOLDER: reads campaign.conf and checks it.
load_campaign() {
    campaign=$(cd "$1" 2>/dev/null && pwd) || fail "no folder $1"
    [ -r "$campaign/campaign.conf" ] || fail "$campaign holds no campaign.conf; start with slurm/submit"
    modules=() container='' xsift=xsift backend=auto top=0
    # shellcheck disable=SC1091
    . "$campaign/campaign.conf"
}

# Makes xsift callable on this node: modules, a container, or the plain program.
prepare_xsift() {
    local name
    if [ "${#modules[@]}" -gt 0 ]; then
        if ! command -v module >/dev/null; then
            # shellcheck disable=SC1091
            . /etc/profile
        fi
        for name in "${modules[@]}"; do module load "$name"; done
    fi
    if [ -n "$container" ]; then
        # --nv hands the node's NVIDIA driver in; without a GPU it only warns.
        xsift_command=(apptainer exec --nv "$container" xsift)
    else
        xsift_command=("$xsift")
    fi
}

shard_file() { printf '%s/shards/%05d.fits' "$campaign" "$1"; }

# Shards as a SLURM array specification: "1 2 3 7" -> 1-3,7
array_of() {
    local first='' last='' k spec=''
    for k in "$@"; do
        if [ -n "$last" ] && [ "$k" -eq $((last + 1)) ]; then
            last=$k
            continue
        fi
        [ -n "$first" ] && spec+=",$first$([ "$first" -eq "$last" ] || printf -- '-%s' "$last")"
        first=$k last=$k
    done
    [ -n "$first" ] && spec+=",$first$([ "$first" -eq "$last" ] || printf -- '-%s' "$last")"
    printf '%s' "${spec#,}"
}

# Prints "SHARD STATE" for each shard of the campaign that SLURM still has in its queue.
queued_shards() {
    local ids
    ids=$(awk '$1 == "run" {print $2}' "$campaign/jobs" 2>/dev/null | paste -sd, -)
    [ -n "$ids" ] || return 0
    # -r: a line an array task. Jobs that SLURM has forgotten are no error.
    squeue -h -r -j "$ids" -o '%K %T' 2>/dev/null || true
}

# queued_job STAGE: the id of a job of that stage that is still queued or running, if any.
queued_job() {
    local id
    for id in $(awk -v stage="$1" '$1 == stage {print $2}' "$campaign/jobs" 2>/dev/null); do
        if [ -n "$(squeue -h -j "$id" -o '%i' 2>/dev/null)" ]; then
            printf '%s' "$id"
            return
        fi
    done
}
