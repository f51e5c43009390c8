"""The board paper: two to six pages in the shape of a report to Cabinet, as PDF and as a Word document."""
