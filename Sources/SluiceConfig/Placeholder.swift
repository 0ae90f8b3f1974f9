package enum PlaceholderSluiceConfig {}
