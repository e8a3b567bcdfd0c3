import { DeleteObjectCommand, GetObjectCommand, ListObjectsV2Command, NoSuchKey, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";

export type S3Settings = {
  readonly url: string;
  readonly bucket: string;
  readonly region: string;
  /** Without them the SDK's own sources are asked: environment, files, the machine's role. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
};

export type ObjectHeaders = { readonly contentType: string; readonly cacheControl: string };

/** For one request with its retries. */
const requestMilliseconds = 10_000;

/** More than the largest entry bundle: 256 entries of 65,535 bytes. */
const maxObjectBytes = 17 * 1_048_576;

/** One bucket of an S3-compatible store. A request that has resolved is durable. */
export class S3Bucket implements Disposable {
  readonly #client: S3Client;
  readonly #name: string;

  constructor({ url, bucket, region, credentials }: S3Settings) {
    this.#name = bucket;
    this.#client = new S3Client({
      endpoint: url,
      region,
      ...(credentials === undefined ? {} : { credentials }),
      forcePathStyle: true,
      // Stores other than Amazon's often refuse the trailing checksums that the SDK would add; the tree's hashes find damage.
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
    });
  }

  async put(key: string, bytes: Uint8Array, { contentType, cacheControl }: ObjectHeaders): Promise<void> {
    const command = new PutObjectCommand({
      Bucket: this.#name,
      Key: key,
      Body: bytes,
      ContentType: contentType,
      CacheControl: cacheControl,
    });
    await this.#named("writing", key, (options) => this.#client.send(command, options));
  }

  /** The bytes of an object, or undefined when there is none. */
  async get(key: string): Promise<Uint8Array | undefined> {
    return this.#named("reading", key, async (options) => {
      try {
        const { Body, ContentLength } = await this.#client.send(new GetObjectCommand({ Bucket: this.#name, Key: key }), options);
        if (ContentLength === undefined || ContentLength > maxObjectBytes) {
          throw new Error(`it has ${ContentLength ?? "an unknown number of"} bytes, more than ${maxObjectBytes}`);
        }
        return await Body?.transformToByteArray();
      } catch (error) {
        if (error instanceof NoSuchKey) return undefined;
        throw error;
      }
    });
  }

  /** Deletes an object, if there is one. */
  async delete(key: string): Promise<void> {
    await this.#named("deleting", key, (options) => this.#client.send(new DeleteObjectCommand({ Bucket: this.#name, Key: key }), options));
  }

  /** The first keys, at most 1,000, that begin with `prefix`. */
  async list(prefix: string): Promise<string[]> {
    const command = new ListObjectsV2Command({ Bucket: this.#name, Prefix: prefix });
    const { Contents = [] } = await this.#named("listing", prefix, (options) => this.#client.send(command, options));
    return Contents.flatMap(({ Key }) => Key ?? []);
  }

  [Symbol.dispose](): void {
    this.#client.destroy();
  }

  async #named<Value>(doing: string, key: string, act: (options: { abortSignal: AbortSignal }) => Promise<Value>): Promise<Value> {
    try {
      return await act({ abortSignal: AbortSignal.timeout(requestMilliseconds) });
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message || cause.name : String(cause);
      throw new Error(`${doing} ${key} in the bucket ${this.#name}: ${reason}`, { cause });
    }
  }
}
