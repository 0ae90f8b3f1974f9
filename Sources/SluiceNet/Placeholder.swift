package enum PlaceholderSluiceNet {}
