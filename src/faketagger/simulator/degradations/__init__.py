"""What happens to any picture on its way through the web: compression, filters, geometry, tone, weather."""
