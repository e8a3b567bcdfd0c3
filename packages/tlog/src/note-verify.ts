/** FIPS 204, table 2. */
export const mlDsa44PublicKeyBytes = 1312;
export const mlDsa44SignatureBytes = 2420;

/**
 * Whether `signature` is by `publicKey` over `message`; the length of the key tells the algorithm. 32 bytes: Ed25519, RFC 8032. 1,312 bytes:
 * ML-DSA-44, FIPS 204, without a context. Must not throw for malformed bytes. One that knows Ed25519 alone (`Ed25519Verify`) serves where no
 * ML-DSA-44 key is known: it takes all their signatures as wrong.
 */
export type NoteVerify = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean;
