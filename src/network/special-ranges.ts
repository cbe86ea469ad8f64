/**
 * Addresses that are not the public internet, by the IANA special-purpose address registries (RFC 6890 and its updates)
 * for IPv4 and IPv6, with what cloud hosts keep for themselves.
 */
export interface Ranges {
  readonly ipv4: readonly string[];
  readonly ipv6: readonly string[];
}

/** No policy opens these: what answers there speaks for the host, or to everybody at once. */
export const NEVER_RANGES: Ranges = {
  ipv4: [
    "0.0.0.0/8", // this network, RFC 791
    "127.0.0.0/8", // loopback, RFC 1122
    "169.254.0.0/16", // link-local, RFC 3927; metadata of most clouds
    "100.100.100.200/32", // metadata, Alibaba Cloud
    "168.63.129.16/32", // host agent, Azure: lies in a public range
    "192.0.0.192/32", // metadata, Oracle Cloud
    "224.0.0.0/4", // multicast, RFC 5771
    "255.255.255.255/32", // limited broadcast, RFC 919
  ],
  ipv6: [
    "::/128", // unspecified, RFC 4291
    "::1/128", // loopback, RFC 4291
    "fe80::/10", // link-local, RFC 4291
    "fd00:ec2::/32", // metadata and time, Amazon
    "fd20:ce::254/128", // metadata, Google Cloud
    "ff00::/8", // multicast, RFC 4291
  ],
};

/** Only a policy that lists them opens these. */
export const SPECIAL_RANGES: Ranges = {
  ipv4: [
    "10.0.0.0/8", // private, RFC 1918
    "100.64.0.0/10", // shared by carriers, RFC 6598
    "172.16.0.0/12", // private, RFC 1918
    "192.0.0.0/24", // IETF protocol assignments, RFC 6890
    "192.31.196.0/24", // AS112, RFC 7535
    "192.52.193.0/24", // AMT, RFC 7450
    "192.88.99.0/24", // 6to4 relays, RFC 7526
    "192.168.0.0/16", // private, RFC 1918
    "192.175.48.0/24", // AS112, RFC 7534
    "198.18.0.0/15", // benchmarking, RFC 2544
    "240.0.0.0/4", // reserved, RFC 1112
  ],
  ipv6: [
    "::/96", // IPv4-compatible, RFC 4291
    "::ffff:0:0/96", // IPv4-mapped, RFC 4291
    "::ffff:0:0:0/96", // IPv4-translated, RFC 2765
    "64:ff9b::/96", // NAT64, RFC 6052: leads to any IPv4 address
    "64:ff9b:1::/48", // NAT64 of one's own, RFC 8215
    "100::/64", // discard, RFC 6666
    "100:0:0:1::/64", // dummy prefix, RFC 9780
    "2001::/23", // IETF protocol assignments, RFC 2928, Teredo among them
    "2002::/16", // 6to4, RFC 3056: leads to any IPv4 address
    "2620:4f:8000::/48", // AS112, RFC 7534
    "3fff::/20", // documentation, RFC 9637
    "5f00::/16", // segment routing, RFC 9602
    "fc00::/7", // unique local, RFC 4193
    "fec0::/10", // site-local, RFC 3879
  ],
};
