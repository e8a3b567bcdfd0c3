import { html, trustedMarkup } from "@quorate/service/html";
import type { Page } from "../page.ts";

/** Asks for a project's token; `reason` says why one that was given does not do. */
export function signInPage(refused?: { status: number; reason: string }): Page {
  return {
    ...(refused && { status: refused.status }),
    title: "Your project",
    description: "What your project has submitted, and what came of it.",
    main: html`<h1>Your project</h1>
      <p>
        What a project has submitted, what fails, what it cost, and who had which token is shown to whoever has a token of it with the scope
        <code>read</code>. Whoever runs the network <a href="/docs/submitting#tokens">gives tokens to projects</a>.
      </p>
      ${refused && html`<p class="notice" role="alert" id="refused">${refused.reason}</p>`}
      <form class="sign-in" method="post" action="/project/sign-in">
        <label for="token">API token</label>
        <input
          id="token"
          name="token"
          type="password"
          required
          maxlength="512"
          autocomplete="current-password"
          ${refused && trustedMarkup('aria-invalid="true" aria-describedby="refused"')}
        />
        <button>Sign in</button>
      </form>
      <p class="none">Your browser keeps the token until you sign out or close it. This site does not.</p>`,
  };
}
