import type { HttpApp } from "@quorate/service/http-app";
import { documentPath, listDocuments, renderDocument } from "./documents.ts";
import { documentPage, documentsPage } from "./pages/document-page.ts";
import type { SendPage } from "./routes.ts";

/** `/docs`: the repository's own documents. */
export async function addDocumentRoutes(app: HttpApp, { sendPage }: { sendPage: SendPage }): Promise<void> {
  const documents = await listDocuments();
  const known = new Set(documents.map(({ file }) => file));
  app.get("/docs", (request, reply) => sendPage(request, reply, () => documentsPage(documents)));
  for (const document of documents) {
    app.get(documentPath(document.file), (request, reply) =>
      sendPage(request, reply, async () => documentPage(document, await renderDocument(document, known))),
    );
  }
}
