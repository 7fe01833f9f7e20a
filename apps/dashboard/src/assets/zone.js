// Says which time zone the browser is in, and reads the page again where it was made for another.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const shown = document.documentElement.dataset.zone;
const cookie = `zone=${encodeURIComponent(zone ?? '')}`;
const told = () => document.cookie.split('; ').includes(cookie);
if (zone && zone !== (shown ?? 'UTC') && !told()) {
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in every browser
  document.cookie = `${cookie}; path=/; max-age=31536000; samesite=strict`;
  if (shown !== undefined && told()) location.reload();
}
