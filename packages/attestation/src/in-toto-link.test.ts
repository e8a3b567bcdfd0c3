import { createHash, createPublicKey, generateKeyPairSync, sign, verify } from "node:crypto";
import { ParseError } from "@quorate/protocol/parse-error";
import { parseSha256 } from "@quorate/protocol/digest";
import { verifyEd25519Portable } from "@quorate/tlog/portable-ed25519";
import { VerificationError } from "@quorate/tlog/verification-error";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type InTotoLink,
  formatLink,
  formatLinkKeyPem,
  formatLinks,
  linkKeyIdOf,
  parseLink,
  parseLinks,
  signedPartOf,
  verifyLink,
} from "./in-toto-link.ts";

const digests = (text: string) => ({
  sha256: parseSha256(createHash("sha256").update(text).digest("hex")),
  sha512: createHash("sha512").update(text).digest("hex"),
});
const link: InTotoLink = {
  product: { name: "mailgraph_1.14-20_all.deb", ...digests("deb") },
  buildinfo: { name: "mailgraph_1.14-20_all.buildinfo", ...digests("buildinfo") },
};
const { privateKey, publicKey } = keyPair();
const text = signed(link);

describe("the signed part", () => {
  test("is canonical JSON, member for member", () => {
    const { sha256, sha512 } = digests("deb");
    const buildinfo = digests("buildinfo");
    expect(new TextDecoder().decode(signedPartOf(link))).toBe(
      `{"_type":"link","byproducts":{},"command":[],"environment":null,"materials":{"mailgraph_1.14-20_all.buildinfo":` +
        `{"sha256":"${buildinfo.sha256}","sha512":"${buildinfo.sha512}"}},"name":"rebuild mailgraph_1.14-20_all.deb",` +
        `"products":{"mailgraph_1.14-20_all.deb":{"sha256":"${sha256}","sha512":"${sha512}"}}}`,
    );
  });

  test("has no materials where there is no buildinfo", () => {
    expect(JSON.parse(new TextDecoder().decode(signedPartOf({ product: link.product }))).materials).toEqual({});
  });
});

describe("keys", () => {
  test("a key's id is the digest of its canonical description", () => {
    const zeros = "00".repeat(32);
    const description = `{"keyid_hash_algorithms":["sha256","sha512"],"keytype":"ed25519","keyval":{"public":"${zeros}"},"scheme":"ed25519"}`;
    expect(linkKeyIdOf(new Uint8Array(32))).toBe(createHash("sha256").update(description).digest("hex"));
  });

  test("the PEM has NULL parameters, 46 bytes, unlike OpenSSL's 44", () => {
    const der = Buffer.from(formatLinkKeyPem(publicKey).split("\n")[1] ?? "", "base64");
    expect(der.toString("hex")).toBe(`302c300706032b65700500032100${Buffer.from(publicKey).toString("hex")}`);
  });
});

describe("verifying", () => {
  test("gives the link that was signed", () => {
    expect(verifyLink(text, publicKey, verifyEd25519Portable)).toEqual(link);
  });

  test("refuses another key, a changed digest and another's signature under this key's id", () => {
    const other = keyPair();
    const changed = text.replace(digests("deb").sha256, digests("tampered").sha256);
    const forged = formatLink(link, { keyId: linkKeyIdOf(publicKey), signature: sign(null, signedPartOf(link), other.privateKey) });
    expect(() => verifyLink(text, other.publicKey, verifyEd25519Portable)).toThrow(VerificationError);
    for (const bad of [changed, forged]) expect(() => verifyLink(bad, publicKey, verifyEd25519Portable)).toThrow(VerificationError);
  });

  test.each([
    "",
    "{}",
    `${text}\n`,
    text.replace(`"environment":null`, `"environment":{}`),
    text.replace(`"name":"rebuild mailgraph`, `"name":"rebuild hello`),
    text.replace(`"command":[]`, `"command":["make"]`),
    JSON.stringify(JSON.parse(text), null, 1),
  ])("%s is no link of ours", (other) => {
    expect(() => verifyLink(other, publicKey, verifyEd25519Portable)).toThrow(ParseError);
  });
});

test("formatting and parsing are inverse, and OpenSSL verifies the signed part", () => {
  const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9.+~:%_-]{0,60}$/);
  const file = fc.record({ name, content: fc.string() }).map(({ name, content }) => ({ name, ...digests(content) }));
  fc.assert(
    fc.property(file, fc.option(file, { nil: undefined }), (product, buildinfo) => {
      const some: InTotoLink = buildinfo === undefined ? { product } : { product, buildinfo };
      const parsed = parseLink(signed(some));
      expect(parsed.link).toEqual(some);
      expect(verify(null, signedPartOf(parsed.link), createPublicKey(privateKey), parsed.signature)).toBe(true);
    }),
  );
});

test("a result's link is found by its file, as it was signed, whatever else is in the list", () => {
  const other = signed({ product: { ...link.product, name: "mailgraph-doc_1.14-20_all.deb" } });
  const links = parseLinks(formatLinks([other, "no link", text]));
  expect([...links]).toEqual([
    ["mailgraph-doc_1.14-20_all.deb", other],
    ["mailgraph_1.14-20_all.deb", text],
  ]);
  expect(parseLinks("")).toEqual(new Map());
});

function signed(some: InTotoLink): string {
  return formatLink(some, { keyId: linkKeyIdOf(publicKey), signature: sign(null, signedPartOf(some), privateKey) });
}

function keyPair() {
  const { privateKey } = generateKeyPairSync("ed25519");
  const publicKey = new Uint8Array(Buffer.from(createPublicKey(privateKey).export({ format: "jwk" }).x ?? "", "base64url"));
  return { privateKey, publicKey };
}
