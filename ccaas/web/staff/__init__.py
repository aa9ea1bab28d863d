"""The site on which people work: sign-in, roles, pages. Other modules add their pages and routes to it."""
