#!/usr/bin/env bash
# Compares `mirror` with Terraform in one run, on one local AWS that is served to both: a target, a filter
# and as many sessions as the arguments say (100 and 1000), over interfaces and a load balancer that exist.
# Each makes a plan, applies it, plans again with nothing to do, and destroys: three rounds, in turns. Prints
# the medians as `mirror / Terraform (ratio)`; CPU and memory include Terraform's provider, memory is that of
# the largest process. The provider is the newest in the folder that MIRROR_TERRAFORM_PLUGINS names, a
# filesystem mirror; without it, the one that the test with Terraform has put beside the build.
set -euo pipefail
cd "$(dirname "$0")/../.."
rounds=3
cargo build --release --quiet --package mirror-plan-cli
cargo build --quiet --workspace --all-targets # what makes the account is not measured
target=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
plugins=${MIRROR_TERRAFORM_PLUGINS:-$target/tmp/terraform/plugins}
mirror=$target/release/mirror
folder=$(mktemp -d)
account=$folder/.mirror/local
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$folder"' EXIT

prepare() { # makes the account with its interfaces and a load balancer, and serves it
  "$target/debug/examples/estate" "$folder" 10000
  grep -o 'eni-[0-9a-f]*' "$folder/estate.mirror.hcl" >"$folder/interfaces"
  mkdir "$folder/receivers"
  cat >"$folder/receivers/receivers.mirror.hcl" <<'END'
stack "receivers" { region = "eu-west-1" }
vpc "receivers" { cidr = "10.0.0.0/16" }
subnet "receivers" {
  vpc  = vpc.receivers
  cidr = "10.0.2.0/24"
}
load_balancer "receivers" { subnets = [subnet.receivers] }
output "load_balancer" { value = load_balancer.receivers.arn }
END
  "$mirror" apply "$folder/receivers" --local="$account" --auto-approve >/dev/null 2>&1
  balancer=$("$mirror" output load_balancer --stack "$folder/receivers" --local="$account")
  "$mirror" local serve --port 0 --local="$account" >"$folder/address" 2>/dev/null &
  server=$!
  until endpoint=$(grep -so 'http://127[^ ]*' "$folder/address"); do sleep 0.1; done
  export AWS_ENDPOINT_URL=$endpoint AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any
  export TF_CLI_CONFIG_FILE=$folder/terraform.rc TF_CLI_ARGS=-no-color CHECKPOINT_DISABLE=1
  echo "provider_installation { filesystem_mirror { path = \"$plugins\" } }" >"$TF_CLI_CONFIG_FILE"
}

stack_file() { # SESSIONS: for mirror
  cat <<END
stack "estate" { region = "eu-west-1" }
locals { sources = [$(head -n "$1" "$folder/interfaces" | sed 's/.*/"&",/')] }
mirror_target "receivers" { load_balancer = $balancer }
mirror_filter "everything" { rules = [{ number = 100, action = "accept" }] }
mirror_session "detect" {
  count  = length(local.sources)
  source = local.sources[count.index]
  target = mirror_target.receivers
  filter = mirror_filter.everything
  number = 1
}
END
}

configuration() { # SESSIONS: for Terraform, with a block for each session, which is faster than `for_each`
  local direction interface
  cat <<END
provider "aws" {
  region = "eu-west-1"
  endpoints {
    ec2 = "$AWS_ENDPOINT_URL"
    sts = "$AWS_ENDPOINT_URL"
  }
}
resource "aws_ec2_traffic_mirror_target" "receivers" { network_load_balancer_arn = $balancer }
resource "aws_ec2_traffic_mirror_filter" "everything" {}
END
  for direction in ingress egress; do
    cat <<END
resource "aws_ec2_traffic_mirror_filter_rule" "$direction" {
  traffic_mirror_filter_id = aws_ec2_traffic_mirror_filter.everything.id
  traffic_direction        = "$direction"
  rule_number              = 100
  rule_action              = "accept"
  source_cidr_block        = "0.0.0.0/0"
  destination_cidr_block   = "0.0.0.0/0"
}
END
  done
  head -n "$1" "$folder/interfaces" | while read -r interface; do
    cat <<END
resource "aws_ec2_traffic_mirror_session" "$interface" {
  network_interface_id     = "$interface"
  traffic_mirror_target_id = aws_ec2_traffic_mirror_target.receivers.id
  traffic_mirror_filter_id = aws_ec2_traffic_mirror_filter.everything.id
  session_number           = 1
  packet_length            = 8500
}
END
  done
}

measure() { # TOOL STEP COMMAND...: in the folder of the tool
  local calls tool=$1 step=$2
  shift 2
  calls=$("$mirror" local log --local="$account" | wc -l)
  (cd "$folder/$tool" && /usr/bin/time -o "$folder/cost" -f '%e %U %S %M' "$@" >"$folder/said" 2>&1) ||
    { tail -n 40 "$folder/said" >&2 && exit 1; }
  calls=$(($("$mirror" local log --local="$account" | wc -l) - calls))
  awk -v of="$tool $step" -v calls="$calls" '{ print of, $1, $2 + $3, $4 / 1024, calls }' "$folder/cost" | tee -a "$folder/costs" >&2
}

compare() { # SESSIONS
  rm -rf "$folder/mirror" "$folder/terraform" "$folder/costs"
  mkdir "$folder/mirror" "$folder/terraform"
  stack_file "$1" >"$folder/mirror/estate.mirror.hcl"
  configuration "$1" >"$folder/terraform/main.tf"
  (cd "$folder/terraform" && terraform init >/dev/null && terraform version | grep -v '^on')
  for _ in $(seq "$rounds"); do
    measure mirror to-make "$mirror" plan
    measure mirror apply "$mirror" apply --auto-approve
    measure mirror in-place "$mirror" plan --detailed-exitcode
    measure mirror destroy "$mirror" destroy --auto-approve
    measure terraform to-make terraform plan
    measure terraform apply terraform apply -auto-approve
    measure terraform in-place terraform plan -detailed-exitcode
    measure terraform destroy terraform destroy -auto-approve
  done
  table "$1"
}

table() { # SESSIONS: the medians of what was measured, side by side
  printf '\n| %s sessions | seconds | CPU seconds | MB | calls |\n| --- | --- | --- | --- | --- |\n' "$1"
  local step column name places
  for step in 'to-make:plan to make' 'apply:apply' 'in-place:plan in place' 'destroy:destroy'; do
    printf '| %s ' "${step#*:}"
    for column in '3 2' '4 2' '5 0' '6 0'; do
      read -r name places <<<"$column"
      awk -v step="${step%%:*}" -v column="$name" -v places="$places" -v middle=$(((rounds + 1) / 2)) '
        $2 == step && ++seen[$1] == middle { median[$1] = $column }
        END {
          one = median["mirror"]; other = median["terraform"]
          ratio = one ? other / one : 0
          printf "| %.*f / %.*f (%.*f) ", places, one, places, other, ratio < 10, ratio
        }' <(sort -n -k "$name,$name" "$folder/costs")
    done
    echo '|'
  done
}

prepare
"$mirror" --version
[ $# -gt 0 ] || set -- 100 1000
for sessions in "$@"; do compare "$sessions"; done
