/** A file that is dropped on the page, or chosen, is hashed here and looked up by its SHA-256. It is not sent anywhere. */

const form = document.querySelector<HTMLFormElement>("form.search.home");
const place = document.querySelector<HTMLElement>(".drop");
const input = place?.querySelector<HTMLInputElement>("input[type=file]");
const status = place?.querySelector<HTMLElement>("[role=status]");

if (form && place && input && status) {
  place.hidden = false;
  input.addEventListener("change", () => void lookUp(input.files?.[0]));
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    place.dataset["state"] = "over";
  });
  document.addEventListener("dragleave", () => delete place.dataset["state"]);
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    delete place.dataset["state"];
    void lookUp(event.dataTransfer?.files[0]);
  });
}

async function lookUp(file: File | undefined): Promise<void> {
  if (!file || !status) return;
  try {
    const { sha256OfStream } = await import("./stream-digest.ts");
    const digest = await sha256OfStream(file.stream(), (bytes) => {
      status.textContent = `Hashing ${file.name}: ${Math.floor((bytes / Math.max(1, file.size)) * 100)} % …`;
    });
    status.textContent = `SHA-256 ${digest}`;
    location.assign(`/search?q=${digest}`);
  } catch (error) {
    status.textContent = `${file.name} could not be read: ${error instanceof Error ? error.message : String(error)}`;
  }
}
