/**
 * Whether `signature` (64 bytes) is by `publicKey` (32 bytes) over `message`, as RFC 8032 says. Must not throw for malformed bytes.
 * What verifies takes one: nobody loads an implementation that is not used.
 */
export type Ed25519Verify = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean;
