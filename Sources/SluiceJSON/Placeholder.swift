package enum PlaceholderSluiceJSON {}
