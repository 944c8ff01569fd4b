// A form marked data-passkey is sent with what the person's passkey answers. It says what is needed
// under data-passkey-options; a button may say it instead, for a form that has other buttons, too.
const SUPPORTED = "PublicKeyCredential" in window && "parseRequestOptionsFromJSON" in PublicKeyCredential;

async function answered(kind, address, form) {
  const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
  const response = await fetch(address, { method: "POST", headers: { "X-CSRFToken": token } });
  const options = await response.json();
  if (!response.ok) throw new Error(options.words);
  const credential = kind === "create"
    ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
    : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
  return JSON.stringify(credential.toJSON());
}

function say(form, words) {
  const place = form.querySelector("[data-passkey-error]");
  if (!place) return;
  place.querySelector("span").textContent = words;
  place.hidden = false;
}

function wordsOf(error) {
  if (error.name === "NotAllowedError") return "The passkey was not used. Nothing has happened.";
  if (error.name === "InvalidStateError") return "This device has a passkey here already.";
  return error.message || "The passkey could not be used.";
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  const asks = event.submitter?.matches("[data-passkey]") ? event.submitter : form;
  if (!asks.matches("[data-passkey]") || form.dataset.signed) return void delete form.dataset.signed;
  // What listens further in must not send the form before it is signed.
  event.preventDefault();
  event.stopImmediatePropagation();
  if (!SUPPORTED) return say(form, "This browser cannot use passkeys.");
  try {
    form.elements.passkey.value = await answered(asks.dataset.passkey, asks.dataset.passkeyOptions, form);
    form.dataset.signed = "yes";
    form.requestSubmit(event.submitter);
  } catch (error) {
    say(form, wordsOf(error));
  }
}, true);
