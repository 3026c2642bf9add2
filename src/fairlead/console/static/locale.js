// How the viewer's numbers, dates and times are written: as the server writes them on the same page, such as en-GB.
export const locale = document.documentElement.dataset.locale;
