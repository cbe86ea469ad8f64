import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  embeddedKey,
  formatSource,
  parseDeb822Sources,
  parseOneLineSources,
  pickDebianArchive,
} from "../../../scripts/setup/apt-sources.ts";

const MIRROR = "http://mirror.example/debian";

describe("one-line sources", () => {
  const cases: { name: string; text: string; expected: unknown }[] = [
    {
      name: "a plain line",
      text: `deb ${MIRROR} bookworm main contrib`,
      expected: [{ uri: MIRROR, suite: "bookworm", components: ["main", "contrib"], trust: {} }],
    },
    {
      name: "options, of which only those about trust are kept",
      text: `deb [ arch=amd64 Signed-By=/k.gpg trusted=yes ] ${MIRROR} bookworm main`,
      expected: [
        {
          uri: MIRROR,
          suite: "bookworm",
          components: ["main"],
          trust: { "signed-by": "/k.gpg", trusted: "yes" },
        },
      ],
    },
    {
      name: "a comment after the components",
      text: `deb ${MIRROR} bookworm main # the archive`,
      expected: [{ uri: MIRROR, suite: "bookworm", components: ["main"], trust: {} }],
    },
    {
      name: "sources, comments and noise",
      text: `deb-src ${MIRROR} bookworm main\n# deb x y z\n\ndeb x`,
      expected: [],
    },
  ];
  for (const { name, text, expected } of cases) {
    it(`are read: ${name}`, () => assert.deepEqual(parseOneLineSources(text), expected));
  }
});

describe("deb822 sources", () => {
  it("are multiplied out over addresses and suites", () => {
    const text = `Types: deb deb-src\nURIs: ${MIRROR} http://b/debian\nSuites: bookworm bookworm-updates\nComponents: main\n`;
    const found = parseDeb822Sources(text).map(({ uri, suite }) => `${uri} ${suite}`);
    const suites = ["bookworm", "bookworm-updates"];
    assert.deepEqual(
      found,
      [MIRROR, "http://b/debian"].flatMap((uri) => suites.map((suite) => `${uri} ${suite}`)),
    );
  });

  it("are read with comments between fields, folded lines and any case of names", () => {
    const text = `types: deb\n# a note\nURIS: ${MIRROR}\nSuites:\n bookworm\nComponents: main\n non-free\nSigned-By: /k.gpg\n`;
    const components = ["main", "non-free"];
    assert.deepEqual(parseDeb822Sources(text), [
      { uri: MIRROR, suite: "bookworm", components, trust: { "signed-by": "/k.gpg" } },
    ]);
  });

  it("are left out when disabled or for source packages only", () => {
    const rest = `URIs: ${MIRROR}\nSuites: bookworm\nComponents: main`;
    assert.deepEqual(parseDeb822Sources(`Types: deb\nEnabled: no\n${rest}\n\nTypes: deb-src\n${rest}\n`), []);
  });

  it("keep a key that is written into the file", () => {
    const block = " -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQINBF\n -----END PGP PUBLIC KEY BLOCK-----";
    const text = `Types: deb\nURIs: ${MIRROR}\nSuites: bookworm\nComponents: main\nSigned-By:\n${block}\n`;
    const key = parseDeb822Sources(text)[0]?.trust["signed-by"] ?? "";
    const lines = [
      "-----BEGIN PGP PUBLIC KEY BLOCK-----",
      "",
      "mQINBF",
      "-----END PGP PUBLIC KEY BLOCK-----",
      "",
    ];
    assert.equal(embeddedKey(key), lines.join("\n"));
    assert.equal(embeddedKey("/usr/share/keyrings/k.gpg"), undefined);
  });
});

describe("the Debian archive is picked", () => {
  const source = (uri: string, suite: string, key?: string, component = "main") => ({
    uri,
    suite,
    components: [component],
    trust: key === undefined ? {} : { "signed-by": key },
  });
  const debian = source(MIRROR, "bookworm", "/usr/share/keyrings/debian-archive-keyring.gpg");
  const cases = [
    {
      name: "among a vendor's of the same suite",
      sources: [source("https://v/repo", "bookworm", "/v.gpg"), debian],
    },
    { name: "and not its updates or security", sources: [source(MIRROR, "bookworm-updates"), debian] },
    { name: "and not another component", sources: [source(MIRROR, "bookworm", undefined, "stable"), debian] },
    { name: "and not a disc", sources: [source("cdrom:[Debian]/", "bookworm"), debian] },
  ];
  for (const { name, sources } of cases) {
    it(name, () => assert.equal(pickDebianArchive(sources, "bookworm"), debian));
  }

  it("by its path where its keys have another name", () => {
    const mirror = source(MIRROR, "bookworm", "/etc/apt/keyrings/mirror.gpg");
    assert.equal(pickDebianArchive([source("https://v/repo", "bookworm"), mirror], "bookworm"), mirror);
  });

  it("by its keyring where a mirror has another path", () => {
    const mirror = source(
      "http://mirror.example/apt",
      "bookworm",
      "/usr/share/keyrings/debian-archive-keyring.gpg",
    );
    assert.equal(
      pickDebianArchive([source("https://v/repo", "bookworm", "/v.gpg"), mirror], "bookworm"),
      mirror,
    );
  });

  it("where the suite is called stable", () => {
    const stable = source("http://mirror.example/debian/", "stable");
    assert.equal(pickDebianArchive([stable], "bookworm"), stable);
  });

  it("or nothing, where there is none", () => {
    assert.equal(pickDebianArchive([source("http://a/ubuntu", "noble")], "bookworm"), undefined);
  });
});

describe("our own source", () => {
  it("keeps address and trust, and asks for one architecture and the package lists only", () => {
    const trust = { "signed-by": "/k.gpg" };
    const archive = { uri: MIRROR, suite: "bookworm", components: ["main", "contrib"], trust };
    assert.equal(
      formatSource(archive, "trixie", "arm64"),
      `deb [arch=arm64 target=Packages signed-by=/k.gpg] ${MIRROR} trixie main\n`,
    );
  });
});
