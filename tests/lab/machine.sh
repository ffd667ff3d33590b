# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The lab's requirements on this machine and its changes to it: packages (as root), one network, containers, images.
# Sourced by `lab`, which sets $lab (the lab's name), $state (.build/lab) and $sockets.
: "${lab:?}" "${state:?}" "${sockets:?}"

network=mailops-$lab

fail() { printf 'The lab cannot run: %s\n' "$*" >&2; exit 1; }

unified_cgroups() { [ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ]; }
has_capability() { (($(awk '/^CapEff/ { print "0x" $2 }' /proc/self/status) >> $1 & 1)); } # BIT, see capabilities(7)

missing_packages() { # Debian's names of the missing packages
  local runtime=runc command package
  unified_cgroups && runtime=crun
  command -v runc >/dev/null && runtime=runc
  while read -r command package; do
    PATH=$PATH:/usr/sbin:/sbin:/usr/lib/podman:/usr/libexec/podman command -v "$command" >/dev/null || echo "$package"
  done <<-END
	podman podman
	$runtime $runtime
	netavark netavark
	iptables iptables
	nft nftables
	ip iproute2
	ssh openssh-client
	mmdebstrap mmdebstrap
	apt-ftparchive apt-utils
	END
  [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || echo debian-archive-keyring
}

need_root() {
  local missing
  [ "$(id -u)" = 0 ] && return
  mapfile -t missing < <(missing_packages)
  fail "only root can create the bridge for its hosts. Run it as root (sudo)." \
    "${missing:+Packages still missing: apt-get install --no-install-recommends ${missing[*]}}"
}

check_machine() {
  local missing install
  mapfile -t missing < <(missing_packages)
  install="apt-get install --no-install-recommends ${missing[*]}"
  if [ -n "${missing:-}" ]; then
    command -v apt-get >/dev/null || fail "packages are missing. Install them (Debian's names): ${missing[*]}"
    step "installing ${missing[*]}"
    if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } \
      >"$state/install.log" 2>&1; then
      fail "this command failed: $install ($(tail -n 1 "$state/install.log"))"
    fi
  fi
  unshare --mount --pid --net --fork true 2>/dev/null ||
    fail "this machine does not allow new namespaces. If it is a container itself, start it with --privileged"
  unshare --net ip link add lab type bridge 2>/dev/null || fail "this kernel does not support bridges"
  configure_podman
  timeout 60 podman info >"$state/podman.log" 2>&1 || fail "podman info failed: $(tail -n 1 "$state/podman.log")"
}

# Ordinary machines keep podman's defaults. crun refuses the mixed cgroup hierarchy of older machines, and without
# CAP_SYS_RESOURCE podman cannot raise limits to its defaults (it lowers its own first, so the machine's fail too).
configure_podman() {
  local conf=$state/containers.conf
  rm -f "$conf"
  unified_cgroups || printf '[engine]\nruntime = "runc"\n' >"$conf"
  has_capability 24 || printf '[containers]\ndefault_ulimits = ["nofile=%s:%s", "nproc=%s:%s"]\n' \
    "$(lower_of -n)" "$(lower_of -n)" "$(lower_of -u)" "$(lower_of -u)" >>"$conf"
  if [ -e "$conf" ]; then export CONTAINERS_CONF=$conf; fi
}

lower_of() { # the machine's limit, at most 20000
  local limit
  limit=$(ulimit -H "$1")
  [[ $limit != unlimited && $limit -lt 20000 ]] || limit=20000
  echo "$limit"
}

# Addresses that this machine depends on: name servers, mirrors, indexes, proxies, peers of open connections. They may
# be in a network that is reserved for documentation, and the default route hides that.
used_addresses() {
  local host
  awk '$1 == "nameserver" { print $2 }' /etc/resolv.conf
  ss -Htn4 | awk '{ print $5 }'
  # shellcheck disable=SC2016  # apt replaces it, not the shell
  { apt-get indextargets --format '$(SITE)'; python3 -m pip config list; env | grep -iE '(_proxy|_url|_index)='; } 2>/dev/null |
    sed -nE "s#.*://([^/@ ]*@)?([^/: \"']+).*#\2#p" | sort -u |
    while read -r host; do timeout 5 getent ahostsv4 "$host" || :; done || :
}

is_free() { # SUBNET ADDRESSES: this machine has no route to it and no address in it, and depends on none there
  [ -z "$(ip -4 route show table all root "$1")" ] &&
    ! ip -4 route show table all match "$1" | grep -qv '^default' &&
    ! grep -qF " ${1%.*}." <<<" ${2//$'\n'/ }"
}

network_exists() { podman network exists "$network"; }

make_network() { # takes the first free subnet
  local subnet used
  used=$(used_addresses)
  : >"$state/network.log"
  for subnet in ${LAB_SUBNET:-203.0.113.0/24 198.51.100.0/24 198.18.77.0/24 198.18.78.0/24}; do
    [[ $subnet =~ ^([0-9]{1,3}\.){3}0/24$ ]] ||
      fail "LAB_SUBNET: '$subnet' is not a valid subnet; expected a /24 such as 203.0.113.0/24"
    is_free "$subnet" "$used" || continue
    # Not --internal: then this machine would have no address on the bridge, and connect over the default route.
    # Fails if another podman network has the subnet but no host yet, so that the kernel has no route to it.
    podman network create --disable-dns --label mailops.lab --subnet "$subnet" "$network" >"$state/network.log" 2>&1 &&
      return
  done
  fail "this machine already uses ${LAB_SUBNET:-the four networks of the lab}. Set a free one: LAB_SUBNET=10.99.99.0/24" \
    "$(tail -n 1 "$state/network.log")"
}

describe_network() { # facts of this machine for the inventory and the tests
  local subnet
  subnet=$(podman network inspect "$network" --format '{{range .Subnets}}{{.Subnet}}{{end}}')
  printf 'lab_network: %s\nlab_subnet: %s\nlab_prefix: %s\nlab_bridge: %s\nlab_images:\n' \
    "$network" "$subnet" "${subnet%.*}" "$(podman network inspect "$network" --format '{{.NetworkInterface}}')"
}

containers() { podman ps --all --quiet --filter "label=mailops.lab=$lab" "$@"; }

remove_hosts() { # [NAME...]: these hosts, or all
  local name ids=()
  if [ $# = 0 ]; then
    mapfile -t ids < <(containers)
  else
    for name in "$@"; do mapfile -t -O ${#ids[@]} ids < <(containers --filter "name=^mailops-$lab-$name\$"); done
  fi
  if [ ${#ids[@]} != 0 ]; then podman rm --force --time 0 "${ids[@]}" >/dev/null; fi
  rm -rf "$sockets" # ssh's shared connections to removed hosts
  # the part of the unified hierarchy that tasks/host.yml made for a host; that of a running host is in use, and stays
  find /sys/fs/cgroup/unified/"$network"-* -depth -type d -exec rmdir {} + 2>/dev/null || :
}

remove_network() { if network_exists; then podman network rm --force "$network" >/dev/null; fi; }
